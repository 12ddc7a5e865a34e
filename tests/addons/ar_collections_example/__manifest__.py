{
    "name": "Example of an Addon on Credit and Collections",
    "summary": "One of each thing that can be added, see CONTRIBUTING.md",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "ar_collections contributors",
    "license": "LGPL-3",
    "depends": ["ar_collections"],
}

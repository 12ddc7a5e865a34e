from . import collection_action, collection_sender, snailmail_letter

from . import collection_action, snailmail_letter

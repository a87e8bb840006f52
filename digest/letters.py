"""Letters: the mails that confirm an address and let people sign in."""

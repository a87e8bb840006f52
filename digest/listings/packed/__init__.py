"""Files in files: mails and archives, and what is in them."""

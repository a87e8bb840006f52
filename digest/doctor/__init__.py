"""What `digest doctor` looks at before anything is sent: the domain's DNS records, the relays, and this machine."""

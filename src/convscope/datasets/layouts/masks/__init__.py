"""Images with mask files."""

"""A worker process of any language: started, spoken to, watched, ended with all it began."""

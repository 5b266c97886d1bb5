"""Sites in object stores: `pwb s3://bucket/prefix`, also az:// and gs://, by the library obstore."""

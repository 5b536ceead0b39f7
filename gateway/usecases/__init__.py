"""What the product does, one function a deed, collaborators as arguments."""

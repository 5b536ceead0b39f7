"""Firms and their campaigns are set up."""

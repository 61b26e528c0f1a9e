"""Runs, renders and checks the chatapp Helm chart."""

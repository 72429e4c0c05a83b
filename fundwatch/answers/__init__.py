"""Answers: stored rows and analytics put together into the shapes that commands and screens show."""

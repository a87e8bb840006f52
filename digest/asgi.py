"""The web pages for any ASGI server: `uvicorn --factory digest.asgi:application`."""

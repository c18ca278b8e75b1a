"""The pilot: contenders measured on the user's own data until the choice between them is clear enough."""

"""One bot, several ways to build it. Each module has `async def main(req)`, an Azure Function."""

"""What every address of the native API shares: scopes, errors, pages, versions, repeatable creates."""

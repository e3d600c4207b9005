"""OrderHub: back-office for shops that sell on Amazon Marketplace."""

VERSION = "0.1.0"

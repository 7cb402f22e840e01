"""What each platform charges, how it scales, what it offers: data with source and date."""

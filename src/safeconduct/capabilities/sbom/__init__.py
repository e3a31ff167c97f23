"""The inventory as a document: CycloneDX in and out."""

package org.example.extraction.license;

import java.time.OffsetDateTime;
import java.util.UUID;

public record LicenseDto(
        UUID id,
        String name,
        String product,
        String licensedTo,
        OffsetDateTime validFrom,
        OffsetDateTime validTo,
        long licensedPages,
        boolean active) {
}

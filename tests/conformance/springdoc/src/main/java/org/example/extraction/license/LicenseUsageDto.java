package org.example.extraction.license;

import java.time.OffsetDateTime;
import java.util.List;

public record LicenseUsageDto(
        OffsetDateTime startDate,
        OffsetDateTime endDate,
        Long analysedPages,
        Long analysedFiles,
        Long ocrPages,
        Long licensedPages,
        List<MonthDto> monthly) {

    public record MonthDto(String month, long analysedPages) {
    }
}

package org.example.extraction.license;

import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import org.springframework.format.annotation.DateTimeFormat;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/license")
public class LicenseController {

    private static final OffsetDateTime START = OffsetDateTime.parse("2024-01-01T00:00:00Z");

    @GetMapping
    public LicenseDto get(@RequestHeader("X-TENANT-ID") String tenantId) {
        return new LicenseDto(UUID.randomUUID(), "Licence of a test", "Extraction", tenantId, START, null, 100_000, true);
    }

    @GetMapping("/usage")
    public LicenseUsageDto usage(
            @RequestHeader("X-TENANT-ID") String tenantId,
            @RequestParam(required = false) @DateTimeFormat(iso = DateTimeFormat.ISO.DATE_TIME) OffsetDateTime startDate,
            @RequestParam(required = false) @DateTimeFormat(iso = DateTimeFormat.ISO.DATE_TIME) OffsetDateTime endDate) {
        return new LicenseUsageDto(startDate == null ? START : startDate, endDate == null ? OffsetDateTime.now() : endDate,
                1234L, 321L, null, 100_000L, List.of(new LicenseUsageDto.MonthDto("2024-01", 1234)));
    }

    /** Whatever else the product has: no type says what is in it. */
    @GetMapping("/features")
    public Map<String, Object> features(@RequestHeader("X-TENANT-ID") String tenantId) {
        return Map.of("ocr", true, "maxUploadMegabytes", 64, "formats", List.of("pdf", "docx"));
    }
}

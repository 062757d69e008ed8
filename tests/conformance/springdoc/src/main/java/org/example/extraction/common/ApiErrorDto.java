package org.example.extraction.common;

import java.time.Instant;
import java.util.List;

public record ApiErrorDto(Instant timestamp, String code, String message, List<String> details) {

    public static ApiErrorDto of(String code, String message) {
        return new ApiErrorDto(Instant.now(), code, message, List.of());
    }
}

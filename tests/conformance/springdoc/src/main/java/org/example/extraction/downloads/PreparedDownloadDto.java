package org.example.extraction.downloads;

import java.util.UUID;

public record PreparedDownloadDto(UUID downloadId) {
}

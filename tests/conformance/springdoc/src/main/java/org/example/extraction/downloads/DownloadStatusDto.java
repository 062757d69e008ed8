package org.example.extraction.downloads;

import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;

public record DownloadStatusDto(
        UUID downloadId,
        UUID dossierTemplateId,
        UUID dossierId,
        List<UUID> fileIds,
        String fileName,
        String mimeType,
        long fileSize,
        DownloadStatusValue status,
        OffsetDateTime creationDate,
        OffsetDateTime lastDownload,
        String errorMessage) {
}

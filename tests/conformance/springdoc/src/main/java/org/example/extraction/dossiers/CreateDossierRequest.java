package org.example.extraction.dossiers;

import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import jakarta.validation.constraints.NotBlank;
import org.example.extraction.downloads.DownloadFileType;

public record CreateDossierRequest(
        UUID id,
        @NotBlank String name,
        String description,
        UUID ownerId,
        Set<UUID> memberIds,
        OffsetDateTime dueDate,
        Set<DownloadFileType> downloadFileTypes,
        List<UUID> reportTemplateIds,
        Map<String, String> dossierAttributes) {
}

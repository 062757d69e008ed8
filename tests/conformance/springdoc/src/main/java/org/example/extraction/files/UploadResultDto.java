package org.example.extraction.files;

import java.util.Set;
import java.util.UUID;

public record UploadResultDto(Set<UUID> fileIds, Set<UUID> processedFileIds) {
}

package org.example.extraction.downloads;

import java.util.List;

public record DownloadListDto(List<DownloadStatusDto> downloads) {
}

package org.example.extraction.downloads;

public enum DownloadFileType {
    ORIGINAL, PREVIEW, DELTA_PREVIEW, REDACTED, ANNOTATED, FLATTEN, SEARCHABLE
}

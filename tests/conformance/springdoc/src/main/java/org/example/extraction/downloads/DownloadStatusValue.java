package org.example.extraction.downloads;

public enum DownloadStatusValue {
    QUEUED, GENERATING, COMPRESSING, READY, FAILED
}

package org.example.extraction.downloads;

import java.util.Set;
import java.util.UUID;

import jakarta.validation.constraints.NotEmpty;

public class BulkDownloadRequestModel extends DownloadRequestModel {

    @NotEmpty
    private Set<UUID> fileIds;

    public Set<UUID> getFileIds() {
        return fileIds;
    }

    public void setFileIds(Set<UUID> fileIds) {
        this.fileIds = fileIds;
    }
}

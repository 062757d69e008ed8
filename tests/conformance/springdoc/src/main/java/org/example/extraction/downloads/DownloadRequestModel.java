package org.example.extraction.downloads;

import java.util.List;
import java.util.Set;
import java.util.UUID;

public class DownloadRequestModel {

    private List<UUID> reportTemplateIds;
    private Set<DownloadFileType> downloadFileTypes;
    private String previewColor;

    public List<UUID> getReportTemplateIds() {
        return reportTemplateIds;
    }

    public void setReportTemplateIds(List<UUID> reportTemplateIds) {
        this.reportTemplateIds = reportTemplateIds;
    }

    public Set<DownloadFileType> getDownloadFileTypes() {
        return downloadFileTypes;
    }

    public void setDownloadFileTypes(Set<DownloadFileType> downloadFileTypes) {
        this.downloadFileTypes = downloadFileTypes;
    }

    public String getPreviewColor() {
        return previewColor;
    }

    public void setPreviewColor(String previewColor) {
        this.previewColor = previewColor;
    }
}

package org.example.extraction.dossiers;

import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import io.swagger.v3.oas.annotations.media.Schema;
import org.example.extraction.common.AuditedModel;
import org.example.extraction.downloads.DownloadFileType;

@Schema(allOf = AuditedModel.class)
public class DossierModel extends AuditedModel {

    private UUID dossierTemplateId;
    private String name;
    private String description;
    private UUID ownerId;
    private Set<UUID> memberIds;
    private OffsetDateTime dueDate;
    private UUID dossierStatusId;
    private Set<DownloadFileType> downloadFileTypes;
    private List<UUID> reportTemplateIds;
    private Map<String, String> dossierAttributes;
    private OffsetDateTime archivedTime;
    private OffsetDateTime softDeletedTime;

    public UUID getDossierTemplateId() {
        return dossierTemplateId;
    }

    public void setDossierTemplateId(UUID dossierTemplateId) {
        this.dossierTemplateId = dossierTemplateId;
    }

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
    }

    public String getDescription() {
        return description;
    }

    public void setDescription(String description) {
        this.description = description;
    }

    public UUID getOwnerId() {
        return ownerId;
    }

    public void setOwnerId(UUID ownerId) {
        this.ownerId = ownerId;
    }

    public Set<UUID> getMemberIds() {
        return memberIds;
    }

    public void setMemberIds(Set<UUID> memberIds) {
        this.memberIds = memberIds;
    }

    public OffsetDateTime getDueDate() {
        return dueDate;
    }

    public void setDueDate(OffsetDateTime dueDate) {
        this.dueDate = dueDate;
    }

    public UUID getDossierStatusId() {
        return dossierStatusId;
    }

    public void setDossierStatusId(UUID dossierStatusId) {
        this.dossierStatusId = dossierStatusId;
    }

    public Set<DownloadFileType> getDownloadFileTypes() {
        return downloadFileTypes;
    }

    public void setDownloadFileTypes(Set<DownloadFileType> downloadFileTypes) {
        this.downloadFileTypes = downloadFileTypes;
    }

    public List<UUID> getReportTemplateIds() {
        return reportTemplateIds;
    }

    public void setReportTemplateIds(List<UUID> reportTemplateIds) {
        this.reportTemplateIds = reportTemplateIds;
    }

    public Map<String, String> getDossierAttributes() {
        return dossierAttributes;
    }

    public void setDossierAttributes(Map<String, String> dossierAttributes) {
        this.dossierAttributes = dossierAttributes;
    }

    public OffsetDateTime getArchivedTime() {
        return archivedTime;
    }

    public void setArchivedTime(OffsetDateTime archivedTime) {
        this.archivedTime = archivedTime;
    }

    public OffsetDateTime getSoftDeletedTime() {
        return softDeletedTime;
    }

    public void setSoftDeletedTime(OffsetDateTime softDeletedTime) {
        this.softDeletedTime = softDeletedTime;
    }
}

package org.example.extraction.files;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;

public class FileModel {

    private UUID id;
    private UUID dossierId;
    private UUID dossierTemplateId;
    private String fileName;
    private long fileSize;
    private Integer numberOfPages;
    private WorkflowStatus workflowStatus;
    private ProcessingStatus processingStatus;
    private boolean excluded;
    private UUID assignee;
    private Map<String, String> fileAttributes;
    private Map<String, Object> features;
    private Instant added;
    private Instant lastUpdated;
    private Instant lastProcessed;
    private Instant softDeletedTime;
    private String errorMessage;

    /** Values of any type, which springdoc describes as objects. */
    public Map<String, Object> getFeatures() {
        return features;
    }

    public void setFeatures(Map<String, Object> features) {
        this.features = features;
    }

    public UUID getId() {
        return id;
    }

    public void setId(UUID id) {
        this.id = id;
    }

    public UUID getDossierId() {
        return dossierId;
    }

    public void setDossierId(UUID dossierId) {
        this.dossierId = dossierId;
    }

    public UUID getDossierTemplateId() {
        return dossierTemplateId;
    }

    public void setDossierTemplateId(UUID dossierTemplateId) {
        this.dossierTemplateId = dossierTemplateId;
    }

    public String getFileName() {
        return fileName;
    }

    public void setFileName(String fileName) {
        this.fileName = fileName;
    }

    public long getFileSize() {
        return fileSize;
    }

    public void setFileSize(long fileSize) {
        this.fileSize = fileSize;
    }

    public Integer getNumberOfPages() {
        return numberOfPages;
    }

    public void setNumberOfPages(Integer numberOfPages) {
        this.numberOfPages = numberOfPages;
    }

    public WorkflowStatus getWorkflowStatus() {
        return workflowStatus;
    }

    public void setWorkflowStatus(WorkflowStatus workflowStatus) {
        this.workflowStatus = workflowStatus;
    }

    public ProcessingStatus getProcessingStatus() {
        return processingStatus;
    }

    public void setProcessingStatus(ProcessingStatus processingStatus) {
        this.processingStatus = processingStatus;
    }

    public boolean isExcluded() {
        return excluded;
    }

    public void setExcluded(boolean excluded) {
        this.excluded = excluded;
    }

    public UUID getAssignee() {
        return assignee;
    }

    public void setAssignee(UUID assignee) {
        this.assignee = assignee;
    }

    public Map<String, String> getFileAttributes() {
        return fileAttributes;
    }

    public void setFileAttributes(Map<String, String> fileAttributes) {
        this.fileAttributes = fileAttributes;
    }

    public Instant getAdded() {
        return added;
    }

    public void setAdded(Instant added) {
        this.added = added;
    }

    public Instant getLastUpdated() {
        return lastUpdated;
    }

    public void setLastUpdated(Instant lastUpdated) {
        this.lastUpdated = lastUpdated;
    }

    public Instant getLastProcessed() {
        return lastProcessed;
    }

    public void setLastProcessed(Instant lastProcessed) {
        this.lastProcessed = lastProcessed;
    }

    public Instant getSoftDeletedTime() {
        return softDeletedTime;
    }

    public void setSoftDeletedTime(Instant softDeletedTime) {
        this.softDeletedTime = softDeletedTime;
    }

    public String getErrorMessage() {
        return errorMessage;
    }

    public void setErrorMessage(String errorMessage) {
        this.errorMessage = errorMessage;
    }
}

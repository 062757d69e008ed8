package org.example.extraction.files;

public enum WorkflowStatus {
    NEW, UNDER_REVIEW, UNDER_APPROVAL, APPROVED, REJECTED
}

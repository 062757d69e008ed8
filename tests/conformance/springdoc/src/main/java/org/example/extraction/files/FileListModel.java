package org.example.extraction.files;

import java.util.List;

public record FileListModel(List<FileModel> files) {
}

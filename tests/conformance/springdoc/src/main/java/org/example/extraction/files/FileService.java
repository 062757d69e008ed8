package org.example.extraction.files;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import org.example.extraction.common.NotFoundException;
import org.example.extraction.dossiers.DossierModel;
import org.springframework.stereotype.Service;

@Service
public class FileService {

    private static final Duration HALF_OF_THE_WORK = Duration.ofMillis(500);

    private record StoredFile(FileModel model, byte[] content) {
    }

    private final ConcurrentMap<UUID, StoredFile> files = new ConcurrentHashMap<>();

    public List<FileModel> list(UUID dossierId) {
        return files.values().stream().map(StoredFile::model).filter(file -> file.getDossierId().equals(dossierId))
                .filter(file -> file.getSoftDeletedTime() == null).map(this::asOfNow).toList();
    }

    public FileModel get(UUID dossierId, UUID id) {
        return asOfNow(stored(dossierId, id).model());
    }

    public byte[] content(UUID dossierId, UUID id) {
        return stored(dossierId, id).content();
    }

    public UUID add(DossierModel dossier, String name, byte[] content) {
        UUID id = list(dossier.getId()).stream().filter(file -> file.getFileName().equals(name)).map(FileModel::getId)
                .findFirst().orElseGet(UUID::randomUUID);
        FileModel file = new FileModel();
        file.setId(id);
        file.setDossierId(dossier.getId());
        file.setDossierTemplateId(dossier.getDossierTemplateId());
        file.setFileName(name);
        file.setFileSize(content.length);
        file.setWorkflowStatus(WorkflowStatus.NEW);
        file.setFileAttributes(Map.of());
        file.setFeatures(Map.of("ocr", true, "languages", new String[] {"en", "de"}, "confidence", 0.97));
        file.setAdded(Instant.now());
        file.setLastUpdated(file.getAdded());
        files.put(id, new StoredFile(file, content));
        return id;
    }

    public FileModel reanalyse(UUID dossierId, UUID id) {
        FileModel file = stored(dossierId, id).model();
        file.setLastUpdated(Instant.now());
        return asOfNow(file);
    }

    public void delete(UUID dossierId, UUID id, boolean permanently) {
        if (permanently) {
            files.remove(stored(dossierId, id).model().getId());
        } else {
            stored(dossierId, id).model().setSoftDeletedTime(Instant.now());
        }
    }

    public void deleteAll(UUID dossierId) {
        files.values().removeIf(file -> file.model().getDossierId().equals(dossierId));
    }

    private StoredFile stored(UUID dossierId, UUID id) {
        StoredFile file = files.get(id);
        if (file == null || !file.model().getDossierId().equals(dossierId)) {
            throw new NotFoundException("There is no file " + id);
        }
        return file;
    }

    /** The analysis takes a second; nobody works in the background, the clock says how far it is. */
    private FileModel asOfNow(FileModel file) {
        Duration worked = Duration.between(file.getLastUpdated(), Instant.now());
        if (worked.compareTo(HALF_OF_THE_WORK) < 0) {
            file.setProcessingStatus(ProcessingStatus.LAYOUT_PARSING);
        } else if (worked.compareTo(HALF_OF_THE_WORK.multipliedBy(2)) < 0) {
            file.setProcessingStatus(ProcessingStatus.PROCESSING);
        } else {
            file.setProcessingStatus(ProcessingStatus.PROCESSED);
            file.setNumberOfPages(file.getFileName().contains("report") ? 6 : 1);
            file.setLastProcessed(file.getLastUpdated().plus(HALF_OF_THE_WORK.multipliedBy(2)));
        }
        return file;
    }
}

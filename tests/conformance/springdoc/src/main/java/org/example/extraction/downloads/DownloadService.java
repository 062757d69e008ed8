package org.example.extraction.downloads;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

import org.example.extraction.common.ConflictException;
import org.example.extraction.common.NotFoundException;
import org.example.extraction.dossiers.DossierModel;
import org.example.extraction.files.FileModel;
import org.example.extraction.files.FileService;
import org.springframework.stereotype.Service;

@Service
public class DownloadService {

    private static final Duration STEP = Duration.ofMillis(300);

    private static final class StoredDownload {

        private final UUID id = UUID.randomUUID();
        private final OffsetDateTime created = OffsetDateTime.now();
        private final DossierModel dossier;
        private final List<UUID> fileIds;
        private final byte[] content;
        private OffsetDateTime fetched;

        private StoredDownload(DossierModel dossier, List<UUID> fileIds, byte[] content) {
            this.dossier = dossier;
            this.fileIds = fileIds;
            this.content = content;
        }

        private DownloadStatusDto asOfNow() {
            long step = Math.min(3, Duration.between(created, OffsetDateTime.now()).dividedBy(STEP));
            DownloadStatusValue status = DownloadStatusValue.values()[(int) step];
            long size = status == DownloadStatusValue.READY ? content.length : 0;
            return new DownloadStatusDto(id, dossier.getDossierTemplateId(), dossier.getId(), fileIds,
                    dossier.getName() + ".zip", "application/zip", size, status, created, fetched, null);
        }
    }

    private final Map<UUID, StoredDownload> downloads = new ConcurrentHashMap<>();
    private final FileService files;

    public DownloadService(FileService files) {
        this.files = files;
    }

    public PreparedDownloadDto prepare(DossierModel dossier, List<UUID> fileIds, DownloadRequestModel request) {
        StoredDownload download = new StoredDownload(dossier, fileIds, zip(dossier, fileIds, request));
        downloads.put(download.id, download);
        return new PreparedDownloadDto(download.id);
    }

    public List<DownloadStatusDto> list() {
        return downloads.values().stream().map(StoredDownload::asOfNow).toList();
    }

    public DownloadStatusDto get(UUID id) {
        return stored(id).asOfNow();
    }

    public byte[] content(UUID id) {
        StoredDownload download = stored(id);
        if (download.asOfNow().status() != DownloadStatusValue.READY) {
            throw new ConflictException("Download " + id + " is not ready");
        }
        download.fetched = OffsetDateTime.now();
        return download.content;
    }

    public void delete(UUID id) {
        downloads.remove(stored(id).id);
    }

    private StoredDownload stored(UUID id) {
        StoredDownload download = downloads.get(id);
        if (download == null) {
            throw new NotFoundException("There is no download " + id);
        }
        return download;
    }

    private byte[] zip(DossierModel dossier, List<UUID> fileIds, DownloadRequestModel request) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            StringBuilder report = new StringBuilder("file;pages\n");
            for (UUID id : fileIds) {
                FileModel file = files.get(dossier.getId(), id);
                zip.putNextEntry(new ZipEntry("Original/" + file.getFileName()));
                zip.write(files.content(dossier.getId(), id));
                report.append(file.getFileName()).append(';').append(file.getNumberOfPages()).append('\n');
            }
            for (UUID id : request.getReportTemplateIds() == null ? List.<UUID>of() : request.getReportTemplateIds()) {
                zip.putNextEntry(new ZipEntry("Reports/" + id + ".csv"));
                zip.write(report.toString().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}

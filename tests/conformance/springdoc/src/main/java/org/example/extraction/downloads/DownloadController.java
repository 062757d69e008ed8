package org.example.extraction.downloads;

import java.util.List;
import java.util.UUID;

import org.example.extraction.common.Pageable;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.Resource;
import org.springframework.http.ContentDisposition;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/downloads")
public class DownloadController {

    private final DownloadService downloads;

    public DownloadController(DownloadService downloads) {
        this.downloads = downloads;
    }

    @GetMapping
    public DownloadListDto list(@RequestHeader("X-TENANT-ID") String tenantId, Pageable pageable) {
        List<DownloadStatusDto> all = downloads.list();
        if (pageable.size() == null) {
            return new DownloadListDto(all);
        }
        int page = pageable.page() == null ? 0 : pageable.page();
        return new DownloadListDto(all.stream().skip((long) page * pageable.size()).limit(pageable.size()).toList());
    }

    @GetMapping("/{id}")
    public DownloadStatusDto get(@RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID id) {
        return downloads.get(id);
    }

    @GetMapping("/{id}/download")
    public ResponseEntity<Resource> download(@RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID id) {
        String name = downloads.get(id).fileName();
        return ResponseEntity.ok().header(HttpHeaders.CONTENT_TYPE, "application/zip")
                .header(HttpHeaders.CONTENT_DISPOSITION, ContentDisposition.attachment().filename(name).build().toString())
                .body(new ByteArrayResource(downloads.content(id)));
    }

    @DeleteMapping("/{id}")
    public ResponseEntity<Void> delete(@RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID id) {
        downloads.delete(id);
        return ResponseEntity.noContent().build();
    }
}

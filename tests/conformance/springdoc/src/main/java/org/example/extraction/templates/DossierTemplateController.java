package org.example.extraction.templates;

import java.util.List;
import java.util.UUID;

import org.example.extraction.common.NotFoundException;
import org.example.extraction.users.UserController;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/dossier-templates")
public class DossierTemplateController {

    private final List<DossierTemplateModel> templates = List.of(
            new DossierTemplateModel(UUID.randomUUID(), "Old contracts", null, UserController.ADMIN, TemplateStatus.DRAFT),
            new DossierTemplateModel(UUID.randomUUID(), "Reports and invoices", "Reads study reports and invoices.",
                    UserController.ADMIN, TemplateStatus.ACTIVE));

    @GetMapping
    public DossierTemplateListModel list(@RequestHeader("X-TENANT-ID") String tenantId) {
        return new DossierTemplateListModel(templates);
    }

    @GetMapping("/{id}")
    public DossierTemplateModel get(@RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID id) {
        return templates.stream().filter(template -> template.getId().equals(id)).findFirst()
                .orElseThrow(() -> new NotFoundException("There is no dossier template " + id));
    }
}

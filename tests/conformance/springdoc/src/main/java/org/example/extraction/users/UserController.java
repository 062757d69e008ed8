package org.example.extraction.users;

import java.util.List;
import java.util.Set;
import java.util.UUID;

import org.example.extraction.common.NotFoundException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
@RequestMapping("/api/users")
public class UserController {

    public static final UUID ADMIN = UUID.fromString("0d6b7a52-9c1e-4a3f-8d27-51c0f4e2b901");

    private final List<UserDto> users =
            List.of(new UserDto(ADMIN, "admin", "admin@example.org", "Ada", "Min", Set.of("ADMIN", "MANAGER")));

    @GetMapping
    public UserListDto list(@RequestHeader("X-TENANT-ID") String tenantId) {
        return new UserListDto(users);
    }

    @GetMapping("/{userId}")
    public UserDto get(@RequestHeader("X-TENANT-ID") String tenantId, @PathVariable UUID userId) {
        return users.stream().filter(user -> user.id().equals(userId)).findFirst()
                .orElseThrow(() -> new NotFoundException("There is no user " + userId));
    }
}

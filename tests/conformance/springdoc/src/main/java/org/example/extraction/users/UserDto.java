package org.example.extraction.users;

import java.util.Set;
import java.util.UUID;

public record UserDto(UUID id, String username, String email, String firstName, String lastName, Set<String> roles) {
}

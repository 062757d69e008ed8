package org.example.extraction.users;

import java.util.List;

public record UserListDto(List<UserDto> users) {
}

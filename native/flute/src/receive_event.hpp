// What the receiver thread tells; receiver-event.ts documents the fields.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "flute/src/fdt_document.hpp"

namespace streamverse::flute {

struct SessionName {
    std::string group;
    uint16_t port = 0;
    uint64_t tsi = 0;
};

struct FdtEvent {
    SessionName session;
    uint32_t instanceId = 0;
    int64_t expiresMs = 0;
    size_t files = 0;
    std::optional<int64_t> senderTimeMs;
};

struct AppearedEvent {
    uint64_t id = 0;
    SessionName session;
    std::shared_ptr<const FdtFile> file;
    uint64_t transferLength = 0;
    int64_t expiresMs = 0;
    std::string path;
};

struct ProgressEvent {
    uint64_t id = 0;
    uint64_t receivedBytes = 0;
};

struct EndedEvent {
    uint64_t id = 0;
    uint64_t missingBytes = 0;
};

struct CompleteEvent {
    uint64_t id = 0;
    std::string path;
    uint64_t sizeBytes = 0;
    std::string sha256;
    uint64_t fecRecoveredBytes = 0;
    uint64_t repairedBytes = 0;
};

struct GaveUpEvent {
    uint64_t id = 0;
    const char* code = "";
    std::string message;
};

struct FailedEvent {
    std::string code;
    std::string message;
};

using ReceiveEvent =
    std::variant<FdtEvent, AppearedEvent, ProgressEvent, EndedEvent, CompleteEvent, GaveUpEvent, FailedEvent>;

}  // namespace streamverse::flute

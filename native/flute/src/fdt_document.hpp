// An FDT instance's XML (RFC 3926 section 3.4.2, with the MBMS, DVB and our own additions).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flute/src/toi.hpp"

namespace streamverse::flute {

// The FEC-OTI-* attributes; each may be given for the file or for the whole instance.
struct FdtTransmission {
    std::optional<uint64_t> encodingId;
    std::optional<uint64_t> blockSymbolsMax;
    std::optional<uint64_t> symbolBytes;
};

struct FdtFile {
    Toi toi;
    std::string contentLocation;
    std::optional<uint64_t> contentLength;
    std::optional<uint64_t> transferLength;
    std::string contentType;
    std::string contentEncoding;
    std::string md5;     // 16 bytes, or empty
    std::string sha256;  // 32 bytes, or empty
    std::string entityTag;
    std::optional<int64_t> cacheExpiresMs;
    FdtTransmission transmission;
    std::map<std::string, std::string> extension;
};

struct FdtDocument {
    int64_t expiresMs = 0;
    std::vector<FdtFile> files;
};

constexpr size_t kFdtFilesMax = 65536;

// Nothing for XML that is not well-formed, has a DTD, exceeds a limit or is no FDT instance. A File without a
// usable TOI or Content-Location is left out.
[[nodiscard]] std::optional<FdtDocument> ParseFdt(std::string_view xml);

}  // namespace streamverse::flute

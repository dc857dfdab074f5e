#include "flute/src/fdt_document.hpp"

#include <expat.h>

#include <algorithm>
#include <memory>
#include <set>
#include <type_traits>

#include "flute/src/base64.hpp"

namespace streamverse::flute {
namespace {

constexpr int kDepthMax = 16;
constexpr size_t kAttributeBytesMax = 4096;
constexpr size_t kTextBytesMax = 512;
// What the instance says for all of its files is copied to each of them.
constexpr size_t kDefaultBytesMax = 128;
constexpr size_t kExtensionsPerFileMax = 16;
constexpr int64_t kNtpToUnixSeconds = 2208988800LL;
constexpr uint64_t kNtpSecondsMax = uint64_t{1} << 40;
constexpr std::string_view kExtensionNamespace = "urn:streamverse:metadata:carousel:2026";

using Attributes = std::vector<std::pair<std::string_view, std::string_view>>;

std::optional<uint64_t> ParseNumber(std::string_view text) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    const size_t end = text.find_last_not_of(" \t\r\n");
    if (begin == std::string_view::npos || end - begin >= 18) {
        return std::nullopt;
    }
    uint64_t value = 0;
    for (const char digit : text.substr(begin, end - begin + 1)) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<uint64_t>(digit - '0');
    }
    return value;
}

std::optional<int64_t> ParseNtpSeconds(std::string_view text) {
    const auto seconds = ParseNumber(text);
    if (!seconds || *seconds > kNtpSecondsMax) {
        return std::nullopt;
    }
    return (static_cast<int64_t>(*seconds) - kNtpToUnixSeconds) * 1000;
}

std::string_view LocalName(std::string_view name) {
    const size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// RFC 9530: a dictionary such as `sha-256=:…:, sha-512=:…:`.
std::string ParseDigest(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    const size_t begin = lower.find("sha-256=:");
    if (begin == std::string::npos || (begin > 0 && lower[begin - 1] != ',' && lower[begin - 1] != ' ')) {
        return {};
    }
    const size_t value = begin + 9;
    const size_t end = text.find(':', value);
    return end == std::string_view::npos ? std::string{} : DecodeBase64(text.substr(value, end - value), 32);
}

void SetTransmission(FdtTransmission& transmission, std::string_view name, std::string_view value) {
    if (name == "FEC-OTI-FEC-Encoding-ID") {
        transmission.encodingId = ParseNumber(value);
    } else if (name == "FEC-OTI-Maximum-Source-Block-Length") {
        transmission.blockSymbolsMax = ParseNumber(value);
    } else if (name == "FEC-OTI-Encoding-Symbol-Length") {
        transmission.symbolBytes = ParseNumber(value);
    }
}

// Expat calls into this; it holds the state of one parse.
class Reader {
 public:
    explicit Reader(XML_Parser parser) : parser_(parser) {}

    void OnStart(std::string_view name, const Attributes& attributes);
    void OnEnd(std::string_view name);
    void OnText(std::string_view text);
    void Refuse() {
        refused_ = true;
        XML_StopParser(parser_, XML_FALSE);
    }

    [[nodiscard]] bool valid() const { return !refused_ && seenInstance_; }
    FdtDocument document;

 private:
    void StartInstance(const Attributes& attributes);
    void StartFile(const Attributes& attributes);
    void SetFileAttribute(FdtFile& file, std::string_view name, std::string_view value) const;
    void LearnPrefixes(const Attributes& attributes);

    XML_Parser parser_;
    FdtFile defaults_;
    std::optional<FdtFile> file_;
    std::string text_;
    // Prefixes are resolved here, liberally: a sender that leaves one undeclared must not lose its whole FDT.
    std::set<std::string, std::less<>> extensionPrefixes_;
    int depth_ = 0;
    bool refused_ = false;
    bool seenInstance_ = false;
};

void Reader::LearnPrefixes(const Attributes& attributes) {
    for (const auto& [name, value] : attributes) {
        if (name.starts_with("xmlns:") && value == kExtensionNamespace && extensionPrefixes_.size() < 16) {
            extensionPrefixes_.emplace(name.substr(6));
        }
    }
}

void Reader::OnStart(std::string_view name, const Attributes& attributes) {
    if (++depth_ > kDepthMax) {
        return Refuse();
    }
    for (const auto& [key, value] : attributes) {
        if (key.size() > kAttributeBytesMax || value.size() > kAttributeBytesMax) {
            return Refuse();
        }
    }
    LearnPrefixes(attributes);
    text_.clear();
    const std::string_view local = LocalName(name);
    if (depth_ == 1) {
        return local == "FDT-Instance" ? StartInstance(attributes) : Refuse();
    }
    if (depth_ == 2 && local == "File") {
        StartFile(attributes);
    }
}

void Reader::StartInstance(const Attributes& attributes) {
    for (const auto& [name, value] : attributes) {
        const std::string_view local = LocalName(name);
        if (local == "Expires") {
            if (const auto expires = ParseNtpSeconds(value)) {
                document.expiresMs = *expires;
                seenInstance_ = true;
            }
        } else if (local == "Content-Type") {
            defaults_.contentType = value.substr(0, kDefaultBytesMax);
        } else if (local == "Content-Encoding") {
            defaults_.contentEncoding = value.substr(0, kDefaultBytesMax);
        } else {
            SetTransmission(defaults_.transmission, local, value);
        }
    }
}

void Reader::SetFileAttribute(FdtFile& file, std::string_view name, std::string_view value) const {
    const std::string_view local = LocalName(name);
    if (local == "Content-Location") {
        file.contentLocation = value;
    } else if (local == "Content-Length") {
        file.contentLength = ParseNumber(value);
    } else if (local == "Transfer-Length") {
        file.transferLength = ParseNumber(value);
    } else if (local == "Content-Type") {
        file.contentType = value;
    } else if (local == "Content-Encoding") {
        file.contentEncoding = value;
    } else if (local == "Content-MD5") {
        file.md5 = DecodeBase64(value, 16);
    } else if (local == "Content-Digest") {
        file.sha256 = ParseDigest(value);
    } else if (local == "Repr-Digest") {
        // Both cover the transport object; Content-Digest is the one that says so by name.
        if (file.sha256.empty()) {
            file.sha256 = ParseDigest(value);
        }
    } else if (local == "File-ETag") {
        file.entityTag = value;
    } else {
        SetTransmission(file.transmission, local, value);
    }
}

void Reader::StartFile(const Attributes& attributes) {
    if (document.files.size() >= kFdtFilesMax) {
        return Refuse();
    }
    file_ = defaults_;
    bool hasToi = false;
    for (const auto& [name, value] : attributes) {
        const size_t colon = name.find(':');
        if (colon != std::string_view::npos && extensionPrefixes_.contains(name.substr(0, colon))) {
            if (file_->extension.size() < kExtensionsPerFileMax) {
                file_->extension.emplace(LocalName(name), value);
            }
        } else if (LocalName(name) == "TOI") {
            if (const auto toi = ParseToi(value); toi && !toi->IsZero()) {
                file_->toi = *toi;
                hasToi = true;
            }
        } else {
            SetFileAttribute(*file_, name, value);
        }
    }
    if (!file_->transferLength) {
        file_->transferLength = file_->contentLength;
    }
    if (!hasToi || file_->contentLocation.empty()) {
        file_.reset();
    }
}

void Reader::OnText(std::string_view text) {
    if (text_.size() < kTextBytesMax) {
        text_.append(text.substr(0, kTextBytesMax - text_.size()));
    }
}

void Reader::OnEnd(std::string_view name) {
    const std::string_view local = LocalName(name);
    if (depth_ == 2 && file_ && local == "File") {
        document.files.push_back(std::move(*file_));
        file_.reset();
    } else if (depth_ == 3 && file_ && local == "File-ETag") {
        file_->entityTag = text_;
    } else if (depth_ == 4 && file_ && local == "Expires") {
        file_->cacheExpiresMs = ParseNtpSeconds(text_);
    }
    text_.clear();
    --depth_;
}

Reader& ReaderOf(void* user) {
    return *static_cast<Reader*>(user);
}

void OnStart(void* user, const XML_Char* name, const XML_Char** pairs) {
    Attributes attributes;
    for (; pairs[0] != nullptr; pairs += 2) {
        attributes.emplace_back(pairs[0], pairs[1]);
    }
    ReaderOf(user).OnStart(name, attributes);
}

void OnEnd(void* user, const XML_Char* name) {
    ReaderOf(user).OnEnd(name);
}

void OnText(void* user, const XML_Char* text, int length) {
    ReaderOf(user).OnText({text, static_cast<size_t>(length)});
}

void OnDoctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    ReaderOf(user).Refuse();
}

}  // namespace

std::optional<FdtDocument> ParseFdt(std::string_view xml) {
    const std::unique_ptr<std::remove_pointer_t<XML_Parser>, decltype(&XML_ParserFree)> parser(
        XML_ParserCreate(nullptr), XML_ParserFree);
    if (!parser || xml.size() > static_cast<size_t>(INT32_MAX)) {
        return std::nullopt;
    }
    Reader reader(parser.get());
    XML_SetUserData(parser.get(), &reader);
    XML_SetElementHandler(parser.get(), OnStart, OnEnd);
    XML_SetCharacterDataHandler(parser.get(), OnText);
    XML_SetStartDoctypeDeclHandler(parser.get(), OnDoctype);
    const XML_Status status = XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
    if (status != XML_STATUS_OK || !reader.valid()) {
        return std::nullopt;
    }
    return std::move(reader.document);
}

}  // namespace streamverse::flute

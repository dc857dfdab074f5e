#include "flute/src/inflate_body.hpp"

#include <zlib.h>

#include <algorithm>

namespace streamverse::flute {
namespace {

constexpr size_t kStepBytes = 64 * 1024;

// Senders confuse the three: gzip and zlib envelopes tell themselves apart, and "DEFLATE" comes both raw (RFC
// 1951) and in an envelope, which its first two bytes show (RFC 1950 section 2.2).
int WindowBits(uint8_t encoding, Bytes body) {
    const bool envelope = body.size() >= 2 && (body[0] & 0x0F) == 8 && ReadBigEndian(body.first(2)) % 31 == 0;
    return encoding == 2 && !envelope ? -MAX_WBITS : 32 + MAX_WBITS;
}

class InflateStream {
 public:
    explicit InflateStream(int windowBits) { ready_ = inflateInit2(&stream_, windowBits) == Z_OK; }
    ~InflateStream() {
        if (ready_) {
            inflateEnd(&stream_);
        }
    }
    InflateStream(const InflateStream&) = delete;
    InflateStream& operator=(const InflateStream&) = delete;
    [[nodiscard]] bool ready() const { return ready_; }
    z_stream& get() { return stream_; }

 private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

std::optional<std::string> InflateBody(uint8_t encoding, Bytes body, size_t bytesMax) {
    if (encoding == 0) {
        return body.size() > bytesMax ? std::nullopt
                                      : std::optional<std::string>(std::in_place, body.begin(), body.end());
    }
    if (encoding > 3 || body.size() > bytesMax) {
        return std::nullopt;
    }
    InflateStream inflater(WindowBits(encoding, body));
    if (!inflater.ready()) {
        return std::nullopt;
    }
    z_stream& stream = inflater.get();
    stream.next_in = const_cast<Bytef*>(body.data());
    stream.avail_in = static_cast<uInt>(body.size());
    std::string result;
    while (true) {
        const size_t have = result.size();
        const size_t step = std::min(kStepBytes, bytesMax - have + 1);
        result.resize(have + step);
        stream.next_out = reinterpret_cast<Bytef*>(result.data() + have);
        stream.avail_out = static_cast<uInt>(step);
        const int status = inflate(&stream, Z_NO_FLUSH);
        result.resize(have + step - stream.avail_out);
        if (result.size() > bytesMax) {
            return std::nullopt;
        }
        if (status == Z_STREAM_END) {
            return result;
        }
        if (status != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
            return std::nullopt;
        }
    }
}

}  // namespace streamverse::flute

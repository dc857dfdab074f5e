#include "flute/src/fdt_document.hpp"

#include <zlib.h>

#include "flute/src/base64.hpp"
#include "flute/src/inflate_body.hpp"
#include "test/check.hpp"

using namespace streamverse::flute;

namespace {

constexpr std::string_view kFull = R"(<?xml version="1.0"?>
<a:FDT-Instance Expires="4000000000" xmlns:a="urn:3GPP:metadata:2022:FLUTE:FDT" Content-Type="text/plain"
   FEC-OTI-FEC-Encoding-ID="5" FEC-OTI-Maximum-Source-Block-Length="60" FEC-OTI-Encoding-Symbol-Length="1400"
   xmlns:s="urn:streamverse:metadata:carousel:2026" xmlns:d="urn:dvb:metadata:ExtendedFileDeliveryTable:2022">
  <a:schemaVersion>1</a:schemaVersion>
  <a:File s:priority="high" Transfer-Length="50" Content-Location="http://dvb.gw/a?b&amp;c" Content-Length="100"
     TOI="281474976710656" Content-Encoding="gzip" Content-MD5="1B2M2Y8AsgTpgAmY7PhCfg==" s:service="one"
     d:Content-Digest="sha-512=:AAAA:, SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" undeclared:x="y"
     mbms2012:File-ETag="&quot;abc&quot;">
    <mbms2007:Cache-Control><mbms2007:Expires>3999999999</mbms2007:Expires></mbms2007:Cache-Control>
    <a:delimiter>0</a:delimiter>
  </a:File>
  <File TOI="2" Content-Location="b" Content-Type="video/mp4" FEC-OTI-FEC-Encoding-ID="0" Repr-Digest="sha-256=:bad:"/>
  <File TOI="0" Content-Location="zero"/><File Content-Location="none"/><File TOI="3"/>
</a:FDT-Instance>)";

void ReadsWhatSendersWrite() {
    const auto document = ParseFdt(kFull);
    CHECK(document && document->files.size() == 2);
    CHECK(document->expiresMs == (4000000000LL - 2208988800LL) * 1000);
    const FdtFile& file = document->files[0];
    CHECK(ToDecimal(file.toi) == "281474976710656" && file.contentLocation == "http://dvb.gw/a?b&c");
    CHECK(file.contentLength == 100U && file.transferLength == 50U && file.contentType == "text/plain");
    CHECK(file.contentEncoding == "gzip" && file.md5.size() == 16 && file.sha256.size() == 32);
    CHECK(file.entityTag == "\"abc\"" && file.cacheExpiresMs == (3999999999LL - 2208988800LL) * 1000);
    CHECK(file.transmission.encodingId == 5U && file.transmission.blockSymbolsMax == 60U);
    CHECK(file.extension.size() == 2 && file.extension.at("priority") == "high");
    CHECK(file.extension.at("service") == "one");
    const FdtFile& second = document->files[1];
    CHECK(second.transmission.encodingId == 0U && second.transmission.symbolBytes == 1400U);
    CHECK(second.contentType == "video/mp4" && second.sha256.empty() && !second.transferLength);
}

void RefusesWhatIsHostile() {
    CHECK(!ParseFdt(""));
    CHECK(!ParseFdt("<FDT-Instance Expires=\"1\">"));
    CHECK(!ParseFdt("<FDT-Instance/>"));
    CHECK(!ParseFdt("<Other Expires=\"1\"/>"));
    CHECK(!ParseFdt("<!DOCTYPE a [<!ENTITY b \"c\">]><FDT-Instance Expires=\"1\"/>"));
    CHECK(!ParseFdt("<FDT-Instance Expires=\"99999999999999999999\"/>"));
    CHECK(!ParseFdt("<FDT-Instance Expires=\"1\"><File TOI=\"1\" Content-Location=\"" +
                    std::string(5000, 'a') + "\"/></FDT-Instance>"));
    std::string deep = "<FDT-Instance Expires=\"1\">";
    for (int level = 0; level < 20; ++level) {
        deep += "<a>";
    }
    for (int level = 0; level < 20; ++level) {
        deep += "</a>";
    }
    CHECK(!ParseFdt(deep + "</FDT-Instance>"));
    CHECK(ParseFdt("<FDT-Instance Expires=\" 4000000000 \"/>"));
    CHECK(DecodeBase64("AAEC", 3) == std::string("\0\1\2", 3) && DecodeBase64("AAEC", 2).empty());
    CHECK(DecodeBase64("A*EC", 3).empty());
}

std::string Deflate(std::string_view text, int windowBits) {
    z_stream stream{};
    CHECK(deflateInit2(&stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string result(text.size() + 1000, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    result.resize(result.size() - stream.avail_out);
    deflateEnd(&stream);
    return result;
}

Bytes BytesOf(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void InflatesWithinItsBound() {
    const std::string text(100'000, 'x');
    for (const auto& [encoding, bits] : {std::pair{1, 15}, {2, -15}, {2, 15}, {3, 31}}) {
        const std::string packed = Deflate(text, bits);
        const auto id = static_cast<uint8_t>(encoding);
        CHECK(InflateBody(id, BytesOf(packed), 100'000) == text);
        CHECK(!InflateBody(id, BytesOf(packed), 99'999));
        for (size_t size = 0; size < packed.size(); ++size) {
            CHECK(!InflateBody(id, BytesOf(packed).first(size), 100'000));
        }
    }
    CHECK(InflateBody(0, BytesOf(text), 100'000) == text && !InflateBody(0, BytesOf(text), 1));
    CHECK(!InflateBody(4, BytesOf(text), 1'000'000));
}

}  // namespace

int main() {
    ReadsWhatSendersWrite();
    RefusesWhatIsHostile();
    InflatesWithinItsBound();
}

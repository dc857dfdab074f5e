// Sections put together from the payloads of one PID's packets (ISO/IEC 13818-1, 2.4.4).
#pragma once

#include <array>

#include "link/src/damage.hpp"

namespace streamverse::link {

inline constexpr size_t kSectionBytesMax = 4096;

// Whole sections, CRC not looked at.
class SectionListener {
 public:
    virtual ~SectionListener() = default;
    virtual void OnSection(const Origin& origin, Bytes section) = 0;
};

class SectionReader {
 public:
    // `begins`: payload_unit_start_indicator.
    void Read(Bytes payload, bool begins, const Origin& origin, ReceiveContext& context,
              SectionListener& listener);

    // Packets are missing: what is under way is lost.
    void Drop(const Origin& origin, ReceiveContext& context);

 private:
    std::array<uint8_t, kSectionBytesMax> bytes_;
    size_t have_ = 0;
    size_t need_ = 0;  // 0: nothing is under way, or its length is not known yet

    size_t Continue(Bytes payload, const Origin& origin, ReceiveContext& context, SectionListener& listener);
    void ReadNew(Bytes payload, const Origin& origin, ReceiveContext& context, SectionListener& listener);
};

// MPE sections (EN 301 192, 7): IP datagrams to the context.
class MpeReader final : public SectionListener {
 public:
    explicit MpeReader(ReceiveContext& context) : context_(context) {}
    void OnSection(const Origin& origin, Bytes section) override;

 private:
    ReceiveContext& context_;
};

}  // namespace streamverse::link

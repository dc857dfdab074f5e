// SoapySDR's C functions, looked for when they are needed.
#pragma once

#include <SoapySDR/Device.h>

namespace streamverse::modem {

// Stays loaded.
struct SoapyLibrary {
    decltype(&SoapySDRDevice_makeStrArgs) make;
    decltype(&SoapySDRDevice_unmake) unmake;
    decltype(&SoapySDRDevice_lastError) lastError;
    decltype(&SoapySDRDevice_setAntenna) setAntenna;
    decltype(&SoapySDRDevice_setSampleRate) setSampleRate;
    decltype(&SoapySDRDevice_setFrequency) setFrequency;
    decltype(&SoapySDRDevice_setGain) setGain;
    decltype(&SoapySDRDevice_setupStream) setupStream;
    decltype(&SoapySDRDevice_activateStream) activateStream;
    decltype(&SoapySDRDevice_deactivateStream) deactivateStream;
    decltype(&SoapySDRDevice_closeStream) closeStream;
    decltype(&SoapySDRDevice_writeStream) writeStream;
    decltype(&SoapySDRDevice_readStreamStatus) readStreamStatus;
};

// Throws OutputError when it is not installed, or another version.
const SoapyLibrary& LoadSoapy();

}  // namespace streamverse::modem

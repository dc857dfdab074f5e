"""GNU Radio's gr-dtv at the same work: 8PSK 3/4, normal frames, pilots; one line of JSON. `gr_dtv.py FRAMES`

Figures are by processor time of all of its threads, on one core: what a neighbour takes is not counted.
"""
import json
import os
import resource
import sys

from gnuradio import blocks, dtv, filter as gr_filter, gr
from gnuradio.filter import firdes

FRAME_SYMBOLS = 22194
PACKETS = 2000
TAPS = 101
CODE = (dtv.FECFRAME_NORMAL, dtv.C3_4)
STANDARD = (dtv.STANDARD_DVBS2, *CODE)


def chain(frames, shaped):
    graph = gr.top_block()
    packet = [0x47, 0x01, 0x00, 0x10] + [value * 37 % 256 for value in range(184)]
    stages = [
        blocks.vector_source_b(packet * PACKETS, True),
        dtv.dvb_bbheader_bb(*STANDARD, dtv.RO_0_20, dtv.INPUTMODE_NORMAL, dtv.INBAND_OFF, 168, 4000000),
        dtv.dvb_bbscrambler_bb(*STANDARD),
        dtv.dvb_bch_bb(*STANDARD),
        dtv.dvb_ldpc_bb(*STANDARD, dtv.MOD_OTHER),
        dtv.dvbs2_interleaver_bb(*CODE, dtv.MOD_8PSK),
        dtv.dvbs2_modulator_bc(*CODE, dtv.MOD_8PSK, dtv.INTERPOLATION_OFF),
        dtv.dvbs2_physical_cc(*CODE, dtv.MOD_8PSK, dtv.PILOTS_ON, 0),
    ]
    if shaped:
        stages.append(gr_filter.fft_filter_ccf(1, firdes.root_raised_cosine(1.0, 2.0, 1.0, 0.2, TAPS)))
    # The last stage gives two samples a symbol, the second a zero where nothing shapes.
    stages.append(blocks.head(gr.sizeof_gr_complex, 2 * FRAME_SYMBOLS * frames))
    stages.append(blocks.null_sink(gr.sizeof_gr_complex))
    graph.connect(*stages)
    return graph


def measure(frames, shaped):
    graph = chain(frames, shaped)
    before = resource.getrusage(resource.RUSAGE_SELF)
    graph.run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return FRAME_SYMBOLS * frames / seconds / 1e6


def main():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    frames = int(sys.argv[1])
    measure(max(1, frames // 10), False)
    figures = {"version": gr.version(), "frameMsymPerSecond": measure(frames, False)}
    figures["shapedMsymPerSecond"] = measure(frames // 2, True)
    print(json.dumps(figures))


main()

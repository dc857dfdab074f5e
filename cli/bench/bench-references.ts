/** Other people's programs that a benchmark can compare itself with, by the names under which `--reference` knows them. */
export const benchReferences = ['gnuradio'] as const;

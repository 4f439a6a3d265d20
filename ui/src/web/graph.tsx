// The graph: uPlot in a box that follows its width; drag zooms, the legend hides and shows.

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatMetric, toColumns } from './format.ts';
import type { RangeSeries } from './format.ts';

const height = 340;
const seriesMax = 200;

export interface GraphProps {
  readonly series: readonly RangeSeries[];
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
  readonly onZoom: (startSeconds: number, endSeconds: number) => void;
}

/** A colour per series, far apart in hue, of the same weight on light and dark. */
function strokeOf(index: number): string {
  return `hsl(${(index * 137.5 + 205) % 360} 65% 52%)`;
}

export function Graph(props: GraphProps) {
  const holder = useRef<HTMLDivElement>(null);
  const { series, startSeconds, endSeconds, stepSeconds } = props;
  useEffect(() => {
    const element = holder.current!;
    const shown = series.slice(0, seriesMax);
    const columns = toColumns(shown, startSeconds, endSeconds, stepSeconds);
    const axis = {
      stroke: getComputedStyle(element).color,
      grid: { stroke: 'rgba(128,128,128,0.18)', width: 1 },
    };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        series: [
          {},
          ...shown.map(({ metric }, index) => ({
            label: formatMetric(metric),
            stroke: strokeOf(index),
            width: 1.5,
            spanGaps: false,
          })),
        ],
        axes: [axis, { ...axis, size: 64 }],
        cursor: { drag: { x: true, y: false, setScale: false } },
        hooks: {
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width > 4) props.onZoom(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'));
            },
          ],
        },
      },
      columns as uPlot.AlignedData,
      element,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [series, startSeconds, endSeconds, stepSeconds]);
  return (
    <figure class="graph" data-testid="graph">
      <div ref={holder} />
      {series.length > seriesMax && (
        <figcaption class="quiet">
          The first {seriesMax} of {series.length} series.
        </figcaption>
      )}
    </figure>
  );
}

/** What an eavesdropper noted of one answer, and which of the classes it was. */
export interface Trace {
  readonly label: number;
  readonly features: readonly number[];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
export const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length);
export const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

type Classify = (features: readonly number[]) => number;

/** Each feature scaled by the training traces: one in ms must not drown one in bytes. */
function scaler(training: readonly Trace[]): (features: readonly number[]) => number[] {
  const columns = (training[0]?.features ?? []).map((_, i) =>
    training.map(({ features }) => features[i] ?? 0),
  );
  const scales = columns.map((column) => ({ middle: mean(column), width: deviation(column) || 1 }));
  return (features) =>
    features.map((value, i) => (value - (scales[i]?.middle ?? 0)) / (scales[i]?.width ?? 1));
}

/** Gaussian naive Bayes. */
function bayes(training: readonly Trace[], classes: number): Classify {
  const scale = scaler(training);
  const models = Array.from({ length: classes }, (_, label) => {
    const rows = training.filter((trace) => trace.label === label).map(({ features }) => scale(features));
    return (rows[0] ?? []).map((_value, i) => {
      const column = rows.map((row) => row[i] ?? 0);
      return { middle: mean(column), width: Math.max(deviation(column), 0.05) };
    });
  });
  return (features) => {
    const scaled = scale(features);
    const scores = models.map((model) =>
      sum(
        model.map(
          ({ middle, width }, i) => -Math.log(width) - ((scaled[i] ?? 0) - middle) ** 2 / (2 * width * width),
        ),
      ),
    );
    return scores.indexOf(Math.max(...scores));
  };
}

/** The nearest seven decide. */
function neighbours(training: readonly Trace[], classes: number): Classify {
  const scale = scaler(training);
  const known = training.map(({ label, features }) => ({ label, point: scale(features) }));
  return (features) => {
    const point = scale(features);
    const nearest = known
      .map((other) => ({
        ...other,
        distance: sum(point.map((value, i) => (value - (other.point[i] ?? 0)) ** 2)),
      }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, 7);
    const votes = Array.from(
      { length: classes },
      (_, i) => nearest.filter(({ label }) => label === i).length,
    );
    return votes.indexOf(Math.max(...votes));
  };
}

export interface Accuracy {
  /** Of the better of two classifiers, on traces that it was not trained on. */
  readonly accuracy: number;
  /** Upper end of its 95 % interval (Wilson). */
  readonly upper: number;
}

/** Five folds: each fifth is judged by what the other four taught. Traces must be in no order of their labels. */
export function crossValidated(traces: readonly Trace[], classes: number): Accuracy {
  const folds = 5;
  const right = [bayes, neighbours].map((learn) => {
    let hits = 0;
    for (let fold = 0; fold < folds; fold++) {
      const held = traces.filter((_, i) => i % folds === fold);
      const classify = learn(
        traces.filter((_, i) => i % folds !== fold),
        classes,
      );
      hits += held.filter(({ label, features }) => classify(features) === label).length;
    }
    return hits;
  });
  const n = traces.length;
  const accuracy = Math.max(...right) / n;
  const z = 1.96;
  const centre = accuracy + (z * z) / (2 * n);
  const spread = z * Math.sqrt((accuracy * (1 - accuracy)) / n + (z * z) / (4 * n * n));
  return { accuracy, upper: (centre + spread) / (1 + (z * z) / n) };
}

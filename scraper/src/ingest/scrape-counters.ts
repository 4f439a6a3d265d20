// What /metrics says about scraping. Plain numbers: they are added to on every scrape.

export class ScrapeCounters {
  exceededSampleLimit = 0;
  exceededBucketLimit = 0;
  exceededSeriesLimit = 0;
  exceededShardSeriesLimit = 0;
  /** Scrapes for whose new series the database had no room. */
  exceededRoom = 0;
  exceededBodySizeLimit = 0;
  exceededLabelLimits = 0;
  /** Assignments with more targets of a job than it allows. */
  exceededTargetLimit = 0;
  outOfOrder = 0;
  duplicateTimestamp = 0;
  outOfBounds = 0;
  exemplarsOutOfOrder = 0;
  /** Scrapes that began too late for their slot's time. */
  late = 0;
  /** Slots that passed while the scrape of the one before still ran. */
  skippedBusy = 0;
  appendFailures = 0;
}

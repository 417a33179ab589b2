//! Photos drawn anew: what a telephone wrote beside the picture – where, when, with what, by whom – is not copied.

use std::io::{BufReader, BufWriter};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// The most points of a picture: fifty million, a telephone's finest.
pub const PICTURE_POINTS_MAX: u64 = 50_000_000;
/// The longest side of a picture, in points.
pub const PICTURE_SIDE_MAX: u32 = 16_384;
/// What decoding one picture may take of memory, in bytes.
pub const PICTURE_MEMORY_MAX: u64 = 400 * 1024 * 1024;
/// How well photos are kept, of 100.
const QUALITY: u8 = 88;

/// Draws the picture in `from` anew into `to`, the right way up. Answers the media type of what it wrote; none if the
/// type is no photo's, and then nothing was written.
pub(crate) fn redraw(from: &Path, to: &Path, kind: &str) -> Result<Option<&'static str>, String> {
    let format = match kind {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/webp" => ImageFormat::WebP,
        _ => return Ok(None),
    };
    let told = |error: image::ImageError| error.to_string();
    let file = std::fs::File::open(from).map_err(|error| error.to_string())?;
    let mut reader = ImageReader::with_format(BufReader::new(file), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_MAX);
    limits.max_alloc = Some(PICTURE_MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(told)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PICTURE_POINTS_MAX {
        return Err(format!("{width} by {height} points are too many"));
    }
    // A picture whose notes cannot be read is shown as it lies.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(told)?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    write(picture, to, format)
}

/// The points of a picture, by its head; none where it cannot be read: then drawing it fails as well.
pub(crate) fn points(path: &Path) -> u64 {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    size.map_or(0, |(width, height)| u64::from(width) * u64::from(height))
}

/// JPEG stays JPEG, PNG stays PNG. WebP becomes one of them: there is no encoder for photos in it that is not a build
/// of C.
fn write(picture: DynamicImage, to: &Path, format: ImageFormat) -> Result<Option<&'static str>, String> {
    let file = std::fs::File::create(to).map_err(|error| error.to_string())?;
    let mut out = BufWriter::new(file);
    let is_photo =
        format == ImageFormat::Jpeg || (format == ImageFormat::WebP && !picture.color().has_alpha());
    let written = if is_photo {
        let encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
        let grey = !picture.color().has_color();
        // What is in that form already is not copied: a telephone's finest photo is 150 MB of points.
        let plain = if grey { DynamicImage::from(picture.into_luma8()) } else { picture.into_rgb8().into() };
        plain.write_with_encoder(encoder).map(|()| "image/jpeg")
    } else {
        picture.write_with_encoder(PngEncoder::new(&mut out)).map(|()| "image/png")
    };
    let kind = written.map_err(|error| error.to_string())?;
    let file = out.into_inner().map_err(|error| error.to_string())?;
    file.sync_all().map_err(|error| error.to_string())?;
    Ok(Some(kind))
}
